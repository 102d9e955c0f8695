// WSGI
