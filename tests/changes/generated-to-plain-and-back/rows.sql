insert into public.g (id, a, c) values (1, 5, 7);
