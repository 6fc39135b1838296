insert into public.year_23 values (1, '2023-05-05', 'x'); insert into public.big values (1, 2); insert into public.part_with_key values (1, 1);
