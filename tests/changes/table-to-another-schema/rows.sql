insert into public.paint (hue) values ('blue'); insert into public.coat values (1, 1);
