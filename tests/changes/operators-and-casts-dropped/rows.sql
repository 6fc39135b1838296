insert into public.rel values (1, row(1, 2));
