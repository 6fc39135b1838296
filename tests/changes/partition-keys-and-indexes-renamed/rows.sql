insert into public.pr values (1, 1, 'a'), (2, 12, 'b');
