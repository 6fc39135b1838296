insert into public.ev values (1, 'a', 2);
