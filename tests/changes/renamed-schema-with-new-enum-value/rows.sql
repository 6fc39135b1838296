insert into shop.orders values (1, 'done');
