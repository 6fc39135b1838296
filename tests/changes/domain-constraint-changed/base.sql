create domain public.email as text constraint has_at check (value like '%@%');
create domain public.positive as int not null default 1 check (value > 0);
create table public.people (id int primary key, mail public.email, n public.positive);
create function public.mail_of(p public.people) returns public.email language sql as $$ select p.mail $$;
create view public.mails as select mail, public.mail_of(p) as again from public.people p;
