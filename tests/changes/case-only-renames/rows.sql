insert into public."Users" values (1, 'n', 2, 'B');
