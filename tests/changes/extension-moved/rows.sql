insert into public.mails values (1, 'A@b');
