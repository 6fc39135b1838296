insert into public.bill values (1, 'paid', '{x}', '12.50');
