insert into public.k values (1, 'a', 2, 1);
