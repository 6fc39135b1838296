insert into public.alarm values (1, 'mid', 'b', '{a,b}');
