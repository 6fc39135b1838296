insert into legacy.orders values (1, 'legacy'); insert into public.orders values (2, 'public');
insert into shut.box values (3, 'shut'); insert into yard.box values (4, 'yard'); insert into shut.crate values (5, 'crate');
insert into public.moody values (1, 'low', 'other');
insert into public.wholly values (1, 'x', 2.5), (2, 'y', 3.5);
insert into public.meter values (1, 1, 'a'), (2, 12, 'b');
