insert into public.orders (id, net, note, last) values (1, 100, 'Ab', 7);
