insert into public.pairs values (1, (1, 2));
