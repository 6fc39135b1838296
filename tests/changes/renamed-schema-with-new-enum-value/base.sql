create schema shop;
create type shop.state as enum ('new', 'done');
create table shop.orders (id int primary key, s shop.state not null default 'new');
create view shop.open as select id from shop.orders where s = 'new';
