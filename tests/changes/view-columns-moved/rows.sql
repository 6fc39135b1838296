insert into public.base values (1, 'a', 'b', 'c');
