insert into public.item values (1, 2, '{3}');
