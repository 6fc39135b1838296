insert into public.h values (1,'de',1),(2,'fr',2),(3,'xx',3);
