alter table public.person rename column mail to email;
