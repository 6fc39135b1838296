insert into public.acct (parent_id) values (null), (1); insert into public.entry (acct_id, day) values (2, '2024-05-05'); insert into public.link values (1, '2024-05-05', 'x');
