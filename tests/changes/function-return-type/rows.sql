insert into public.items values (1, 'a', 2);
