insert into app.t (a) values ('x');
