insert into public.gift values (1, 'a', 'b');
