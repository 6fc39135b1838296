comment on constraint told_24_pkey on public.told_24 is 'of the first';
create conversion public.told_so for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8;
comment on conversion public.told_so is 'a conversion';
grant usage on foreign data wrapper telling to teller;
alter materialized view public.tellings set (toast.autovacuum_enabled = false);
