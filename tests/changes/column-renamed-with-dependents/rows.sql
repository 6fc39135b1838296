insert into public.person values (1, 'a@b', 3);
