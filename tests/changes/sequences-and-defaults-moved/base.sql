create schema s; create sequence public.counter start 10 increment 5; create sequence s.other;
create table public.u (id int primary key default nextval('public.counter'), n int default nextval('s.other'), k serial);
create table public.u2 (id int default nextval('public.counter'));
