insert into public.told values (1, '2024-02-02', 1);
