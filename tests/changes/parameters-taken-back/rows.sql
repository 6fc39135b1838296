insert into public.big values (1, 'x', 1); insert into public.fast (a) values ('a'), ('b'); insert into public.slow (a) values ('a');
