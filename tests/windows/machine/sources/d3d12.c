/* Stands before Wine's d3d12.dll, for two things in which vkd3d is not as Windows is:
 *
 * - Windows has one device for an adapter, whoever asks and however often; vkd3d makes a new one each time. Tensors that
 *   one part of DirectML made would then belong to another device than the session that is to read them.
 * - vkd3d has not written ID3D12Device5::EnumerateMetaCommands and says so; DirectML takes that for a broken driver. A
 *   driver without metacommands answers that there are none.
 *
 * All other names are forwarded to Wine's library, which lies beside this one as wined3d12.dll.
 */
#include <windows.h>

#define ENUMERATE_META_COMMANDS 59 /* place in the table of methods, counted in d3d12.idl */
#define METHODS 62                 /* of ID3D12Device5 */

typedef HRESULT(WINAPI *create_device)(IUnknown *adapter, int feature_level, REFIID wanted, void **device);

static const IID device5 = {0x8b4f173b, 0x2fea, 0x4b80, {0x8f, 0x58, 0x43, 0x07, 0x19, 0x1a, 0xb9, 0x5d}};
static SRWLOCK lock = SRWLOCK_INIT;
static IUnknown *kept;

static HRESULT WINAPI no_meta_commands(void *device, UINT *count, void *descriptions)
{
    if (!count) return E_INVALIDARG;
    *count = 0;
    return S_OK;
}

static void answer_for_meta_commands(IUnknown *device)
{
    void ***found;
    if (FAILED(device->lpVtbl->QueryInterface(device, &device5, (void **)&found))) return;
    DWORD protection;
    if (VirtualProtect(*found, METHODS * sizeof(void *), PAGE_READWRITE, &protection))
        (*found)[ENUMERATE_META_COMMANDS] = (void *)no_meta_commands;
    ((IUnknown *)found)->lpVtbl->Release((IUnknown *)found);
}

static HRESULT first_device(IUnknown *adapter, int feature_level)
{
    HMODULE wines = LoadLibraryA("wined3d12.dll");
    create_device create = wines ? (create_device)(void *)GetProcAddress(wines, "D3D12CreateDevice") : NULL;
    if (!create) return E_FAIL;
    HRESULT answer = create(adapter, feature_level, &IID_IUnknown, (void **)&kept);
    if (SUCCEEDED(answer)) answer_for_meta_commands(kept);
    return answer;
}

HRESULT WINAPI our_D3D12CreateDevice(IUnknown *adapter, int feature_level, REFIID wanted, void **device)
{
    HRESULT answer = S_OK;
    AcquireSRWLockExclusive(&lock);
    if (!kept) answer = first_device(adapter, feature_level);
    ReleaseSRWLockExclusive(&lock);
    if (FAILED(answer)) return answer;
    if (!device) return S_FALSE; /* only asked whether one could be made */
    return kept->lpVtbl->QueryInterface(kept, wanted, device);
}
