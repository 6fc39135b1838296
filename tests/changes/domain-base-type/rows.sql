insert into public.item values (1, 'ab', 2, '{cd}');
