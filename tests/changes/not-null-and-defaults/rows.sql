insert into public.f values (1, 2, 'b', now(), '{"a": 1}', 3, gen_random_uuid());
