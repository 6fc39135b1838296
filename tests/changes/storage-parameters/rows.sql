insert into public.big values (1, 'x', 1); insert into public.cache values ('a', 'b');
