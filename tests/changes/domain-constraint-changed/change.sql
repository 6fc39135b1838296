alter domain public.email drop constraint has_at;
alter domain public.email add constraint has_at check (value ~ '^[^@]+@[^@]+$');
alter domain public.email set default E'a@b\r\nc';
alter domain public.positive drop not null;
alter domain public.positive add constraint small check (value < 1000) not valid;
comment on constraint has_at on domain public.email is 'one @';
