insert into public.days values (1, 'good', '{good}', 's'), (2, 'so so', '{so so}', 'l');
