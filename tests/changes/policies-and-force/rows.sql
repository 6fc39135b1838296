insert into public.docs values (1, null, 'x');
