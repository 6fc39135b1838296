drop view public.convs;
alter table public.conv alter a type uuid using a::uuid, alter b type timestamptz using b at time zone 'UTC', alter c type boolean using c <> 0, alter d type varchar(20), alter e type jsonb, alter f type numeric(6, 2), alter g type text, alter h type date using h::date, alter i type varbit;
create view public.convs as select a, b, c from public.conv;
