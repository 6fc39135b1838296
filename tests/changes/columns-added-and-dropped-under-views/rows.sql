insert into public.top values (1, 2, 'b', 'c'), (2, 3, 'e', 'f');
