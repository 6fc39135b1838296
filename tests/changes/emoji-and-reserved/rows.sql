insert into "🚀 Launch"."select" values (1, 'x', 'y', 2); insert into public."order" values (1, 'd');
