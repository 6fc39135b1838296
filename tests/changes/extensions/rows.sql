insert into public.words values (1, 'W', 'h'); insert into public.tree values (1, 'a.b', 'k=>v');
