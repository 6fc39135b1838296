insert into public.r values (1, 'x');
