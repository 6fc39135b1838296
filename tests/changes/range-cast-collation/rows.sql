insert into public.slots values (1, 'a', '[2020-01-01,2020-01-02)');
