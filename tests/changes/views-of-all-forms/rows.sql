insert into public.emp values (1, null, 'a', 1, '{"a": 1}');
