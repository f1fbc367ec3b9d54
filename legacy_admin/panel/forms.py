# mypy: disallow-any-generics=False
from django import forms
from django.core.files.uploadedfile import UploadedFile

from sales.models import CustNote, Customer, OrdHdr, Partner

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
MAX_DOC = 5 * 1024 * 1024


class BoardFilter(forms.Form):
    q = forms.CharField(
        label="Find", required=False, widget=forms.TextInput(attrs={"placeholder": "order, ref, customer"})
    )
    stat = forms.TypedChoiceField(
        label="Status",
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", "all"), ("10", "open"), ("20", "allocated")],
    )
    partner = forms.ModelChoiceField(Partner.objects.order_by("prt_cd"), required=False, empty_label="all")
    rush = forms.BooleanField(required=False)
    late = forms.BooleanField(required=False)


class OrderForm(forms.ModelForm):
    class Meta:
        model = OrdHdr
        fields = ["req_dt", "ship_via", "rush_fl", "notes"]
        widgets = {"req_dt": DAY, "notes": forms.Textarea(attrs={"rows": 3})}


class RunForm(forms.Form):
    on = forms.DateField(label="Invoice date", widget=DAY)
    orders = forms.TypedMultipleChoiceField(coerce=int)

    def __init__(self, *args: object, shown: list[int], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        field = self.fields["orders"]
        assert isinstance(field, forms.TypedMultipleChoiceField)
        field.choices = [(n, str(n)) for n in shown]


class CustomerForm(forms.ModelForm):
    class Meta:
        model = Customer
        fields = ["nm", "addr1", "addr2", "zip", "city", "ctry", "email", "tel", "terms_cd", "cr_lim", "act_fl"]


class NoteForm(forms.ModelForm):
    class Meta:
        model = CustNote
        fields = ["txt"]
        widgets = {"txt": forms.Textarea(attrs={"rows": 2, "placeholder": "New note"})}


class DocForm(forms.Form):
    file = forms.FileField(label="Attach a document")

    def clean_file(self) -> UploadedFile:
        upload: UploadedFile = self.cleaned_data["file"]
        if (upload.size or 0) > MAX_DOC:
            raise forms.ValidationError("Documents may have 5 MB at most.")
        return upload
