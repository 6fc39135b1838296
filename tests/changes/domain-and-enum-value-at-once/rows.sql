insert into public.item values (1, 'ab', 'done');
