insert into public.root values (1, 'a', 2);
