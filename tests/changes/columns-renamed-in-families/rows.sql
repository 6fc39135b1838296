insert into public.w values (1, 2, 3, '7', 'd', '2024-01-01'); insert into public.wk values (4, 5, 6, '8', 'y', '2024-01-01', 7); insert into public.wp values (1, '2024-05-05', 'n');
