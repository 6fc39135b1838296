insert into public.shape values (1, row(1, 2), array[row(row(1, 2), row(3, 4))::public.line2]);
