"""tmp"""
import numpy as np, cv2
class K:
    def __init__(s,p): s.pose=p.copy()
class M:
    family='rig'
    def __init__(s,c,size):
        s.size=size; p=cv2.resize(c.picture,(size,size)).astype(np.float32); p[:,:,:3]*=p[:,:,3:]/255; s.p=p.astype(np.uint8)
    def render(s,pose,out):
        m=np.float32([[1,0,pose[40]*30],[0,1,pose[44]*10]]); cv2.warpAffine(s.p,m,(s.size,s.size),dst=out); return K(pose)
    def between(s,a,b,f,out):
        s.render(a.pose+(b.pose-a.pose)*f,out)
def open_model(character,size,rung): return M(character,size)
