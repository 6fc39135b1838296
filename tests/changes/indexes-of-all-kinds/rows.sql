insert into public.doc values (1, 'a', 1, '{"k": 1}', '[1,2)', '{x}', now());
