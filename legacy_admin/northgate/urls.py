from django.contrib import admin
from django.contrib.staticfiles.views import serve
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from partner.index_php import index_php

admin.site.site_header = "Northgate Supply"
admin.site.site_title = "Northgate"
admin.site.index_title = "Master data"

urlpatterns = [
    path("", RedirectView.as_view(url="/panel/")),
    path("panel/", include("panel.urls")),
    path("admin/", admin.site.urls),
    path("partner/", include("partner.urls")),
    path("index.php", index_php),  # the PHP site's address, still in three partners' programs
    # There is no web server in front of ng-app01 that could serve files.
    re_path(r"^static/(?P<path>.*)$", serve, {"insecure": True}),
]
