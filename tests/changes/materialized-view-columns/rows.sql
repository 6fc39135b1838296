insert into public.src values (1, 'a', 'b');
refresh materialized view public.mv;
