insert into public.pk values (1, 1, 'a');
