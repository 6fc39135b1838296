insert into public.item values (1, 'b', '{a}');
