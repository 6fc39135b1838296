insert into public.m values (1, 'a'), (2, 'b'); insert into public.r values (1, '2024-01-05'), (2, '2024-02-05');
