create table public.conv (id int primary key, a text, b timestamp, c int, d varchar(50), e json, f numeric(10, 4), g char(4), h text, i bit(3));
create view public.convs as select a, b, c from public.conv;
