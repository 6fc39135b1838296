insert into public.m values (1, 2, 'x');
